"""The net: the only room that imports torch. Sees training rows in the net view; knows nothing of splits or stores."""


def is_cuda_available() -> bool:
    """Whether torch can use a GPU on this machine."""
    import torch

    return torch.cuda.is_available()
