"""What ``sangyu check`` proves about benefit runs."""
