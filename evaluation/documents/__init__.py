"""What is stored of data sets, evaluations, comparisons and checks as JSON; each class is the API's answer, too."""
