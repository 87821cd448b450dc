"""What is stored of checks and data sets as JSON; each class is the API's answer, too."""
