"""Work that is due: rows with a time, and the loop that runs whatever functions it is handed."""
