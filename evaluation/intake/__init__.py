"""Archives and label tables from outside in; pictures with labels, and a reason for each row that was left, out."""
