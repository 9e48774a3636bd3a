"""Files in any column names, by a mapping, into clean tables; every dropped row has a reason."""
