//! Cells, covers, distances, places and recorded movement. No I/O: an index reads bytes that a driver loaded.
