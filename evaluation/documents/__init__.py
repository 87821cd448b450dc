"""What is stored of data sets, evaluations, comparisons and checks as JSON."""
