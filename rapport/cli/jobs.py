"""What is done about each kind of due work: the functions that ``cli`` hands to the loop."""

from rapport.sync import worker
from rapport.work.loop import Jobs

JOBS: Jobs = {"relink": worker.relink_contact, "relink-company": worker.relink_company}
