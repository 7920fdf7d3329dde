"""What a review finds and how it is said: measured, put into words and pictures, proposed, doubted."""
