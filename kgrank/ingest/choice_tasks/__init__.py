"""Choice tasks, pairs and ratings: choice data as the field writes it."""
