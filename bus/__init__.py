"""Topics, codecs, partitions, producer and consumer set-up."""
