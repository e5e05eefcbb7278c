"""How what users bring is read: arrays with names, functions, options, precision, texts; and whether it fits memory."""
