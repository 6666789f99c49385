"""How answers are asked for, judged against the exact formula, and timed."""
