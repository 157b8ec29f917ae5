"""How the tables came to be, step by step; `storage.migrate` runs what a database lacks."""
