"""The Faust app: agents of a few lines that call the domain."""
