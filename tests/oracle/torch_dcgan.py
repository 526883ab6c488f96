#!/usr/bin/env python3
"""State dicts of PyTorch's DCGAN example (github.com/pytorch/examples, dcgan/main.py) with 2 channels, as its
torch.save writes them: tests/fixtures/netG.pth and netD.pth (the latter as of DataParallel, names beginning with
module.), and torch_dcgan.safetensors:

  z [1,4]                 a latent
  image [1,3,64,64]       netG's of it, in evaluation mode
  logit [1]               netD's of that, in evaluation mode, before its sigmoid
"""

from pathlib import Path

import torch
from torch import nn

from dcgan import save_safetensors

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
NZ, NGF, NDF = 4, 2, 2


class Net(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def net_g():
    layers, inputs = [], NZ
    for i, outputs in enumerate([NGF * 8, NGF * 4, NGF * 2, NGF]):
        layers += [
            nn.ConvTranspose2d(inputs, outputs, 4, 1 if i == 0 else 2, 0 if i == 0 else 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(True),
        ]
        inputs = outputs
    return Net([*layers, nn.ConvTranspose2d(NGF, 3, 4, 2, 1, bias=False), nn.Tanh()])


def net_d():
    layers, inputs = [nn.Conv2d(3, NDF, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)], NDF
    for outputs in [NDF * 2, NDF * 4, NDF * 8]:
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True)]
        inputs = outputs
    return Net([*layers, nn.Conv2d(inputs, 1, 4, 1, 0, bias=False), nn.Sigmoid()])


def main():
    torch.manual_seed(6)
    G, D = net_g(), net_d()
    for net in (G, D):
        for name, tensor in net.state_dict().items():
            if "running_var" in name:
                tensor.uniform_(0.3, 1.5)
            elif tensor.dim() == 1:
                tensor.normal_(0.3, 0.3)
            elif tensor.dim() == 4:
                tensor.normal_(0, 0.25)
        net.eval()
    z = torch.randn(1, NZ)
    with torch.no_grad():
        image = G(z.reshape(1, NZ, 1, 1))
        logit = D.main[:-1](image).reshape(1)
    torch.save(G.state_dict(), FIXTURES / "netG.pth")
    torch.save(nn.DataParallel(D).state_dict(), FIXTURES / "netD.pth")
    save_safetensors(
        FIXTURES / "torch_dcgan.safetensors",
        {"z": z, "image": image, "logit": logit},
        {"source": "tests/oracle/torch_dcgan.py", "torch": torch.__version__},
    )
    for name in ("netG.pth", "netD.pth", "torch_dcgan.safetensors"):
        print(f"{name}: {(FIXTURES / name).stat().st_size} bytes")
    print(image.std(), logit)


if __name__ == "__main__":
    main()
