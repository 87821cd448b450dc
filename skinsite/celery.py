"""The Celery application. Its messages carry an id and nothing else; see skinsite/jobs/."""

import os

import billiard
from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun

# A framework that was imported before a fork deadlocks: every worker process starts fresh.
billiard.set_start_method("spawn", force=True)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinsite.settings")

from django.conf import settings  # noqa: E402  (the line above names the settings)
from django.db import close_old_connections  # noqa: E402

app = Celery("skinsite", broker=settings.BROKER_URL)
app.conf.update(
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "queue_order_strategy": "priority",
        "socket_connect_timeout": 2,
        "socket_timeout": 20,
        "max_retries": 1,  # a page does not wait for a broker that is down: the sweeper sends later
        "interval_start": 0,
        "interval_step": 0,
    },
    task_publish_retry=False,
    task_default_queue="default",
    task_time_limit=600,
    worker_proc_alive_timeout=120,
    worker_max_memory_per_child=settings.WORKER_BYTES // 1024,
    worker_send_task_events=False,
    broker_heartbeat=0,
)
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def give_up_dead_connections(**kwargs: object) -> None:
    """A task begins with a connection that works, or with none: a database that restarted between two costs nothing.

    Celery does this for Django in the process that it forks from; a spawned child has to ask for it.
    """
    close_old_connections()


@setup_logging.connect
def use_django_logging(**kwargs: object) -> None:
    """Django has configured logging already."""
