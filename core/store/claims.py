"""placeholder until the jobs branch is merged"""


def take(keys, holder):
    return set(keys)


def release(keys, holder):
    return None
