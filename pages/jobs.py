"""Jobs: the queue, and one job with its progress, log, stop and resume."""

from core import jobs
from pages.components import frame
from pages.components.jobs import LOG_LINES, job_card, job_table
from pages.components.tables import pick_row

frame.title("Jobs", "One job at a time per device. A job goes on when the tab closes or the server stops.")

rows = jobs.jobs()
if not rows:
    frame.empty("Nothing has been started yet. The demo study is a good first job.", "overview")

job_table(rows)
job = pick_row("Job", rows, lambda row: f"{row.title} ({row.id})", "job")
job_card(job.id, lines=LOG_LINES)
frame.next_step("see what the finished jobs found.", "results")
