"""The trend page: laboratory values, medicines and status of one patient over a year."""
