"""Files of records, read in chunks of JSON texts: `json_lines` and `csv`."""
