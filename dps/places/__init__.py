"""Where: postcodes, the ONS directory, localities and their neighbours, travel."""
