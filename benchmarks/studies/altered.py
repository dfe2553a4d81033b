"""Our own network with one thing changed that the quick way to weigh channels does not know of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from unittest import mock

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from clamlab.models import ConvAutoencoder, DeepClustering

SHAPE, WIDTH = (32, 32), (6, 7, 44)


class OwnEncode(DeepClustering):
    """Scales the scans first."""

    def encode(self, images):
        """Encode them a tenth brighter."""
        return super().encode(1.1 * images)


class OwnFeatureMaps(DeepClustering):
    """Shows other channels than it works with."""

    def feature_maps(self, images, layer=-1, activated=True):
        """Take their squares."""
        return super().feature_maps(images, layer, activated).square()


class OwnForward(DeepClustering):
    """Draws scans in a way of its own; features are as ever."""

    def forward(self, images):
        """Draw nothing."""
        return images, super().forward(images)[1]


class OwnSoftAssign(DeepClustering):
    """Is twice as sure."""

    def soft_assign(self, images):
        """Square the probabilities."""
        q = super().soft_assign(images).square()
        return q / q.sum(dim=1, keepdim=True)


class EncoderOwnEncode(ConvAutoencoder):
    """Bounds its features."""

    def encode(self, images):
        """Squash what is far out."""
        return 20 * torch.tanh(super().encode(images) / 20)


class EncoderOwnFeatureMaps(ConvAutoencoder):
    """Shares channels out over the cells."""

    def feature_maps(self, images, layer=-1, activated=True):
        """Divide by their mean height."""
        maps = super().feature_maps(images, layer, activated)
        return maps / (1 + maps.abs().mean(dim=1, keepdim=True))


class EncoderOwnForward(ConvAutoencoder):
    """Draws in a way of its own; features are as ever."""

    def forward(self, images):
        """Draw what is given."""
        return images


class EncoderOwnInput(ConvAutoencoder):
    """Standardises each scan."""

    def _with_channel_axis(self, images):
        images = super()._with_channel_axis(images)
        return images / (1 + images.flatten(1).std(dim=1).view(-1, *[1] * (images.ndim - 1)))


class OwnLeakyReLU(nn.LeakyReLU):
    """A leaky ReLU that is none."""

    def forward(self, hidden):
        """Bend once more."""
        return super().forward(hidden).clamp(max=5)


class OwnConv(nn.Conv2d):
    """A convolution that is none."""

    def forward(self, hidden):
        """Add what came in."""
        return super().forward(hidden) + hidden.mean(dim=(1, 2, 3), keepdim=True)


class OwnList(nn.ModuleList):
    """A list that does not give all that it holds."""

    def __iter__(self):
        """Leave the last out."""
        return iter(list(super().__iter__())[:-1])


class Scaled(nn.Module):
    """A parametrization."""

    def forward(self, weight):
        """Scale each filter."""
        return weight * (1 + weight.abs().amax(dim=tuple(range(1, weight.ndim)), keepdim=True))


def of_class(kind: type) -> Callable:
    """Make the network, or its encoder, one of another class with the same weights."""

    def change(model: DeepClustering) -> None:
        changed = model if issubclass(kind, DeepClustering) else model.autoencoder
        changed.__class__ = kind

    return change


def activation(module: nn.Module) -> Callable:
    """Exchange the activation."""
    return lambda model: setattr(model.autoencoder, "activation", module)


def behind(layer: int, *modules: nn.Module) -> Callable:
    """Put modules behind a convolution."""

    def change(model: DeepClustering) -> None:
        model.blocks[layer] = nn.Sequential(model.blocks[layer], *modules)

    return change


def convolution(layer: int, kind: type = nn.Conv2d, **settings) -> Callable:
    """Exchange a convolution for one of the same width."""

    def change(model: DeepClustering) -> None:
        ins, outs = ([1, *WIDTH][layer], WIDTH[layer])
        torch.manual_seed(0)
        model.blocks[layer] = kind(ins, outs, **settings).requires_grad_(False)

    return change


def hook(register: str, on: Callable, change: Callable) -> Callable:
    """Register a hook on a part of the network."""
    return lambda model: getattr(on(model), register)(change)


def method(name: str, on: Callable, change: Callable) -> Callable:
    """Replace a method of one part by a changed one."""

    def replace(model: DeepClustering) -> None:
        part = on(model)
        own = getattr(type(part), name)
        part.__dict__[name] = MethodType(lambda self, *a, **k: change(own(self, *a, **k)), part)

    return replace


def longer(model: DeepClustering) -> None:
    """Add a convolution."""
    torch.manual_seed(0)
    model.blocks.append(nn.Conv2d(44, 44, 3, padding=1).requires_grad_(False))


def other_list(model: DeepClustering) -> None:
    """Put the same convolutions into a list of another kind."""
    first, second, third = model.blocks
    model.autoencoder.blocks = OwnList([first, second, nn.Identity(), third])


def deeper_features(model: DeepClustering) -> None:
    """Make features by two layers."""
    torch.manual_seed(0)
    last = model.autoencoder.to_features
    more = nn.Sequential(last, nn.Tanh(), nn.Linear(last.out_features, last.out_features))
    model.autoencoder.to_features = more.requires_grad_(False)  # type: ignore[assignment]


def extra_state(model: DeepClustering) -> None:
    """Subtract a stored pattern from what comes in."""
    encoder = model.autoencoder
    encoder.register_buffer("pattern", torch.linspace(0, 1, SHAPE[1]))
    own = ConvAutoencoder._with_channel_axis
    changed = MethodType(lambda self, x: own(self, x) - self.pattern, encoder)
    encoder.__dict__["_with_channel_axis"] = changed


def other_slope(model: DeepClustering) -> None:
    """Change the slope after the network was made."""
    model.autoencoder.activation.negative_slope = 0.3


@contextmanager
def global_hook(_: DeepClustering) -> Iterator[None]:
    """Change every convolution of the process."""

    def change(module, args, output):
        return output * 1.1 if isinstance(module, nn.Conv2d) else None

    handle = nn.modules.module.register_module_forward_hook(change)
    try:
        yield
    finally:
        handle.remove()


def class_patched(_: DeepClustering):
    """Replace a method of the class itself, which leaves no trace on the network."""
    own = ConvAutoencoder.encode
    return mock.patch.object(ConvAutoencoder, "encode", lambda self, x: own(self, x) * 1.1)


def the_model(model):
    """Hand the network itself on."""
    return model


def the_encoder(model):
    """Hand its encoder on."""
    return model.autoencoder


def block(layer: int) -> Callable:
    """Hand a convolution on."""
    return lambda model: model.blocks[layer]


def larger_output(module, args, output):
    """Change what a module gives."""
    return 1.1 * output


def larger_input(module, args):
    """Change what a module gets."""
    return (1.1 * args[0],)


def untouched(module, args, output):
    """Only look on."""


def larger(values):
    """Scale by a little."""
    return 1.1 * values


FORWARD, BEFORE = "register_forward_hook", "register_forward_pre_hook"
CHANGED: dict[str, Callable] = {
    "subclass, encode": of_class(OwnEncode),
    "subclass, feature_maps": of_class(OwnFeatureMaps),
    "subclass, forward": of_class(OwnForward),
    "subclass, soft_assign": of_class(OwnSoftAssign),
    "encoder's subclass, encode": of_class(EncoderOwnEncode),
    "encoder's subclass, feature_maps": of_class(EncoderOwnFeatureMaps),
    "encoder's subclass, forward": of_class(EncoderOwnForward),
    "encoder's subclass, input": of_class(EncoderOwnInput),
    "hook on the network": hook(FORWARD, the_model, untouched),
    "hook on the encoder": hook(FORWARD, the_encoder, larger_output),
    "hook on the first convolution": hook(FORWARD, block(0), larger_output),
    "hook on the last convolution": hook(FORWARD, block(-1), larger_output),
    "hook that only looks on": hook(FORWARD, block(-1), untouched),
    "hook on the activation": hook(FORWARD, lambda m: m.autoencoder.activation, larger_output),
    "hook on the features": hook(FORWARD, lambda m: m.autoencoder.to_features, larger_output),
    "hook before the second convolution": hook(BEFORE, block(1), larger_input),
    "hook on all modules": global_hook,
    "GELU": activation(nn.GELU()),
    "Tanh": activation(nn.Tanh()),
    "PReLU": activation(nn.PReLU(init=0.1)),
    "ReLU6": activation(nn.ReLU6()),
    "leaky ReLU of another class": activation(OwnLeakyReLU(0.01)),
    "leaky ReLU of another slope": other_slope,
    "GroupNorm": behind(1, nn.GroupNorm(1, WIDTH[1])),
    "BatchNorm": behind(0, nn.BatchNorm2d(WIDTH[0])),
    "InstanceNorm": behind(2, nn.InstanceNorm2d(WIDTH[2])),
    "MaxPool": behind(0, nn.MaxPool2d(3, stride=1, padding=1)),
    "AvgPool": behind(2, nn.AvgPool2d(3, stride=1, padding=1)),
    "Dropout": behind(1, nn.Dropout()),
    "convolution of another class": convolution(
        0, OwnConv, kernel_size=4, stride=2, padding=1
    ),
    "kernel 2": convolution(0, kernel_size=2, stride=2),
    "kernel 6": convolution(0, kernel_size=6, stride=2, padding=2),
    "stride 2 at the second, 1 at the last": lambda model: (
        convolution(1, kernel_size=4, stride=2, padding=1)(model),
        convolution(2, kernel_size=3, padding=1)(model),
    ),
    "padding 2 1": convolution(1, kernel_size=(5, 3), padding=(2, 1)),
    "dilation 3": convolution(0, kernel_size=4, stride=2, padding=4, dilation=3),
    "reflected padding": convolution(
        0, kernel_size=4, stride=2, padding=1, padding_mode="reflect"
    ),
    "groups": lambda model: (
        convolution(0, kernel_size=4, stride=2, padding=1)(model),
        behind(0, nn.Conv2d(6, 6, 3, padding=1, groups=3).requires_grad_(False))(model),
    ),
    "without bias": convolution(0, kernel_size=4, stride=2, padding=1, bias=False),
    "parametrization": lambda model: nn.utils.parametrize.register_parametrization(
        model.blocks[0], "weight", Scaled()
    ),
    "weight norm": lambda model: parametrizations.weight_norm(model.blocks[-1]),
    "pruning": lambda model: prune.l1_unstructured(model.blocks[0], "weight", amount=0.3),
    "encode replaced": method("encode", the_encoder, larger),
    "feature_maps replaced": method("feature_maps", the_model, torch.square),
    "soft_assign replaced": method("soft_assign", the_model, lambda q: (0.1 + q) / (1 + 0.1 * 3)),
    "a convolution's forward replaced": method("forward", block(0), larger),
    "encode of the class replaced": class_patched,
    "longer list of convolutions": longer,
    "list of another class": other_list,
    "two layers to the features": deeper_features,
    "extra state": extra_state,
}  # fmt: skip
