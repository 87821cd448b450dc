"""The sweeper's process."""

import logging
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections

from classifier.services.models.register import refuse_failed_admissions
from skinsite.jobs.sweep import sweep

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Take back jobs whose worker was lost and send again what the broker lost, every few seconds, for ever."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--every", type=float, default=2.0, help="seconds between two rounds")

    def handle(self, *args: Any, every: float, **options: Any) -> None:
        while True:
            try:
                sweep()
                refuse_failed_admissions()
            except OperationalError:
                logger.exception("The database did not answer; the next round tries again.")
            close_old_connections()
            time.sleep(every)
