"""The compiled decoder: the kernels of `kernels.scan` over the batches of `wire`, the reference decoder behind them."""
