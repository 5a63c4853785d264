"""The loop that runs what is due."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils.timezone import now

from rapport.work.models import Due

log = logging.getLogger(__name__)

Jobs = Mapping[str, Callable[[int], None]]


def run_due(jobs: Jobs) -> int:
    """Do everything that is due now, each once; how many were done."""
    done = 0
    for row in Due.objects.due().filter(kind__in=list(jobs)):
        if row.take():
            done += _run(row, jobs[row.kind])
    return done


def _run(row: Due, job: Callable[[int], None]) -> int:
    try:
        job(row.about)
    except Exception as error:  # The one place that catches everything: a job's bug must not stop the others.
        log.exception("%s about %s failed", row.kind, row.about)
        wait = timedelta(seconds=min(900, 5 * 2 ** min(row.attempts, 8)))
        Due.objects.filter(pk=row.pk, not_before=row.not_before).update(not_before=now() + wait, trouble=repr(error))
        return 0
    # Somebody may have asked again meanwhile: then the time has moved, and the row stays.
    Due.objects.filter(pk=row.pk, not_before=row.not_before).delete()
    return 1
