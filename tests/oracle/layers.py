"""What networks of several scripts are made of: spectral norm, told when to iterate, and minibatch discrimination."""

import torch
from torch import nn
from torch.nn.utils import spectral_norm


def normed(layer):
    """With spectral norm, which iterates when `iterate` says so and not at each forward."""
    layer = spectral_norm(layer)
    hook_of(layer).n_power_iterations = 0
    return layer


def hook_of(layer):
    return next((h for h in layer._forward_pre_hooks.values() if hasattr(h, "n_power_iterations")), None)


def iterate(net):
    """One power iteration of every layer."""
    for layer in net.modules():
        hook = hook_of(layer)
        if hook:
            hook.n_power_iterations = 1
            hook.compute_weight(layer, do_power_iteration=True)
            hook.n_power_iterations = 0


class Discrimination(nn.Module):
    """Maps of how near a picture is to the others, from the mean of its features."""

    def __init__(self, C, kernels=100, dims=5):
        super().__init__()
        self.T = nn.Parameter(torch.randn(C, kernels * dims) * 0.3)
        self.bias = nn.Parameter(-torch.ones(kernels))

    def forward(self, x):
        N, _, H, W = x.shape
        M = (x.mean((2, 3)) @ self.T).reshape(N, len(self.bias), -1)
        near = torch.exp(-(M[:, None] - M[None]).abs().sum(3))
        o = near.sum(1) - 1 + self.bias
        return torch.cat([x, o[:, :, None, None].expand(N, -1, H, W)], 1)
