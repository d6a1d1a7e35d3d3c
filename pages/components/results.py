"""stub"""


def latest_table(study):
    pass
