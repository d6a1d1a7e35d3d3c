"""Review: people accept, reject and edit rationales, and everything they decide is kept.

    desk.decide(run, (12, 0), "edit", "ana", seen=0, before=old, after=new)     appended
    board = desk.board(run)                                                     a fold over all of it
    board.counts(total)              {"pending": 598, "accepted": 1, "edited": 1, …}
    diff.words(old, new)             what the edit changed
    agreement.agreement(board, "ana", "ben").kappa

A decision is on one rationale of a run, by question and sample. The exemplar of a cluster is the nearest to
its centre that qualifies and is not rejected: a rejection shows the next one.
"""
