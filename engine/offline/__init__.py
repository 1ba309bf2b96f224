"""What works on recorded input and recorded output: readers of data sets, and reports of what was triggered."""
