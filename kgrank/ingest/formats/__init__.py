"""Files of one format as rows of cells: CSV, JSON Lines, Parquet, workbooks."""
