"""The image and the compose file, checked as far as it goes without an engine: schema, linters, and the real programs behind them."""
