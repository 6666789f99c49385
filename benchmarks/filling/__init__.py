"""Getting a catalogue of any size into the benchmark's own database, fast and once."""
