"""What is made of measurements: records, their comparison, tables, charts and the HTML report."""
