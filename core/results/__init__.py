"""Which method made the student better, and how sure that is.

table       evaluation runs → rows with accuracy, interval, paired difference, published figure
statistics  the intervals and paired tests behind them
pooled      one comparison over several benchmarks and seeds
power       what a comparison can see, before it is run
ablation    New-Fine-tune-CoT's four arms, beside what its paper printed of them
published   what the papers printed, marked as theirs
export      the table and the predictions as CSV, LaTeX and JSONL
"""
