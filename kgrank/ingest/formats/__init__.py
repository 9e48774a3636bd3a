"""Files of one format as rows of cells: CSV, JSON, Parquet, workbooks."""
