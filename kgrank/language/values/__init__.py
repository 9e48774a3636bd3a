"""Missing values of items, read from their titles and descriptions: proposals with a calibrated confidence."""
