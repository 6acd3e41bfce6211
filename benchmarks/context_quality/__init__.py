"""Which context makes the model right: repository context against its alternatives, on real packages."""
