"""Stage games: agents on a graph of neighbours who play the same game again and again, and learners that know types."""
