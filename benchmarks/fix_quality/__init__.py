"""Small faults planted in real packages, given to `ghostfill.fix` with what a checker says of them."""
