"""Series that came in wrong at some hospital, and their relatives: what is right for each."""

from dataclasses import replace

import numpy as np
from hospital_series import STEP, N, each, hu_at, slices, tilted

EXACT = 1.0  # HU, mean: rounding
UNEVEN, TILTED = 5.0, 12.0
RNG = np.random.default_rng(11)


def error(scan, *, above=0.0):
    """Mean HU error where the scan shows something; ``above`` is what its phase has more."""
    index = np.stack(np.indices(scan.volume.shape), -1)
    truth = hu_at(index @ scan.affine[:3, :3].T + scan.affine[:3, 3])
    truth = truth + above * (truth > -300)
    seen = scan.volume > -1024  # outside a tilted stack there is nothing
    return float(np.abs(np.clip(truth, -1024, 3071) - scan.volume)[seen].mean())


def without(found, *numbers):
    return [one for i, one in enumerate(found) if i not in numbers]


def photon_counting(found):
    return [replace(one, intercept=-8192) for one in found]


def phases(**told):
    """Two phases at the same places; the second is 30 HU brighter where there is tissue."""
    first = each(slices(), **{k: (lambda i, v=v: v[0](i)) for k, v in told.items()})
    second = each(slices(above=30.0), **{k: (lambda i, v=v: v[1](i)) for k, v in told.items()})
    return first + second


def in_between(second=None, **told):
    """Two phases, the second half a slice above the first: no place comes twice."""
    second = second or slices(MIDDLE + STEP / 2, above=30.0)
    told = {name.split(",")[0]: values for name, values in told.items()}
    return each(slices(), **{k: v[0] for k, v in told.items()}) + each(
        second, **{k: v[1] for k, v in told.items()}
    )


def padded(hu, value):
    row, column = np.indices(hu.shape[-2:])
    away = ((row - 31.5) / 32) ** 2 + ((column - 45.5) / 46) ** 2 > 1
    return np.where(away, value, hu)


def breathed_out(hu):
    return np.where(hu < -400, hu + 90, hu)


def constant(first, second):
    return lambda i: first, lambda i: second


def counting(first, second):
    return lambda i: f"{first + i * 0.1:.2f}", lambda i: f"{second + i * 0.1:.2f}"


def seconds_after(hour):
    return lambda i: f"{hour}{i // 60:02d}{i % 60:02d}"


MIDDLE = STEP * (np.arange(N) - (N - 1) / 2)
JITTER = MIDDLE + RNG.uniform(-0.05, 0.05, N) * STEP
COARSE_ABOVE = np.concatenate([np.arange(-144, 0, 2.5), np.arange(1, 146, 5.0)])
COARSE_BELOW = -COARSE_ABOVE[::-1]
HALF = N // 2

# name: (slices, mean error allowed, what a person is told, slices filled)
RIGHT = {
    "even": (slices(), EXACT, "", 0),
    "signed": (slices(stored="int16", intercept=0), EXACT, "", 0),
    "one slice missing, unsigned": (without(slices(), 50), UNEVEN, "1 slice(s) are missing", 1),
    "one slice missing, signed": (
        without(slices(stored="int16", intercept=0), 60), UNEVEN, "1 slice(s) are missing", 1,
    ),
    "photon counting, one slice missing": (
        without(photon_counting(slices()), 70), UNEVEN, "1 slice(s) are missing", 1,
    ),
    "two neighbours missing": (without(slices(), 30, 31), UNEVEN, "2 slice(s) are missing", 2),
    "spacing jitters": (slices(JITTER), UNEVEN, "", 0),
    "coarser above": (slices(COARSE_ABOVE), UNEVEN, "", 0),
    "coarser below": (slices(COARSE_BELOW), UNEVEN, "", 0),
    "upper half numbered first": (
        each(slices(), InstanceNumber=lambda i: (i + HALF) % N + 1), EXACT, "", 0,
    ),
    "numbers shuffled": (
        each(slices(), InstanceNumber=lambda i: int((i * 37) % N) + 1), EXACT, "", 0,
    ),
    "numbers missing": (each(slices(), InstanceNumber=lambda i: None), EXACT, "", 0),
    "numbers constant": (each(slices(), InstanceNumber=lambda i: 1), EXACT, "", 0),
    "numbers restart": (each(slices(), InstanceNumber=lambda i: i % HALF + 1), EXACT, "", 0),
    "even slices first": (
        each(slices(), InstanceNumber=lambda i: i // 2 + 1 + HALF * (i % 2)), EXACT, "", 0,
    ),
    "time of the study varies": (
        each(slices(), StudyTime=lambda i: f"1200{i % 60:02d}"), EXACT, "", 0,
    ),
    "series number varies": (each(slices(), SeriesNumber=lambda i: i % 3), EXACT, "", 0),
    "description varies": (
        each(slices(), SeriesDescription=lambda i: f"Thorax {'ab'[i * 7 % 5 % 2]}"), EXACT, "", 0,
    ),
    "acquisition number by table position": (
        each(slices(), AcquisitionNumber=lambda i: i // 8), EXACT, "", 0,
    ),
    "a few thicker by their header": (
        each(slices(), SliceThickness=lambda i: 3 if i in (5, 6, 90) else STEP), EXACT, "", 0,
    ),
    "gantry +15": (tilted(15), TILTED, "", 0),
    "gantry -15": (tilted(-15), TILTED, "", 0),
    "gantry +8, one slice missing": (without(tilted(8), 60), TILTED, "are missing", 1),
    "field of view changes half way": (
        slices(MIDDLE[:HALF]) + slices(MIDDLE[HALF:], pixel_mm=(4.4, 4.4)), TILTED,
        "a field of view that changes", 0,
    ),
    "position changes half way": (
        slices(MIDDLE[:HALF])
        + [replace(one, place=one.place + [6.3, -9.1, 0]) for one in slices(MIDDLE[HALF:])],
        TILTED, "a field of view that changes", 0,
    ),
    "one slice without rescale": (
        [replace(one, slope=None, intercept=None) if i == 40 else one
         for i, one in enumerate(slices())],
        EXACT, "1 slice(s) have no rescale", 0,
    ),
    "every second without rescale": (
        [replace(one, slope=None, intercept=None) if i % 2 else one
         for i, one in enumerate(slices())],
        EXACT, "48 slice(s) have no rescale", 0,
    ),
    "rescale slope by slice": (
        [replace(one, slope=[1, 2, 0.5][i % 3]) for i, one in enumerate(slices())], EXACT + 0.5,
        "", 0,
    ),
    "bolus slices at one place": (
        slices([10.1] * 12, above=90.0, header={"AcquisitionNumber": 7}) + slices(),
        EXACT, "12 slice(s) of others were left out", 0,
    ),
    "bolus slices told by time only": (
        each(slices([-38.7] * 12, above=90.0), AcquisitionTime=lambda i: f"1000{i:02d}")
        + each(slices(), AcquisitionTime=lambda i: f"{101500 + i * 0.1:.2f}"),
        EXACT, "12 slice(s) of others were left out", 0,
    ),
    **{
        f"two phases by {word}": (phases(**{word: told}), EXACT, "told apart by", 0)
        for word, told in {
            "AcquisitionTime": counting(101500, 102500),
            "AcquisitionDateTime": constant("20200101101500", "20200101102500"),
            "ContentTime": counting(101500, 102500),
            "InstanceNumber": (lambda i: i + 1, lambda i: i + 1 + N),
            "AcquisitionNumber": constant(1, 2),
            "ContrastBolusAgent": constant(None, "Iomeron"),
            "ConvolutionKernel": constant("B35f", "B70f"),
            "TemporalPositionIdentifier": constant(1, 2),
            "NominalPercentageOfCardiacPhase": constant(40, 75),
            "SeriesDescription": constant("arterial", "venous"),
        }.items()
    },
    "two phases half a slice apart": (
        slices() + slices(MIDDLE + STEP / 2, above=30.0, header={"AcquisitionNumber": 2}),
        EXACT, "told apart by AcquisitionNumber", 0,
    ),
    **{
        f"two phases half a slice apart, told by {word}": (
            in_between(**{word: told}), EXACT, "told apart by", 0,
        )
        for word, told in {
            "AcquisitionTime": counting(101500, 102500),
            "AcquisitionTime, one for all": constant("101500", "102500"),
            "InstanceNumber": (lambda i: i + 1, lambda i: i + 1 + N),
            "SeriesNumber": constant(1, 2),
            "SeriesDescription": constant("arterial", "venous"),
            "PatientPosition": constant("HFS", "HFP"),
        }.items()
    },
    "two breaths half a slice apart": (
        in_between(
            slices(MIDDLE + STEP / 2, change=breathed_out),
            InstanceNumber=(lambda i: i + 1, lambda i: i + 1 + N),
        ),
        EXACT, "told apart by InstanceNumber", 0,
    ),
    "one scan, every second slice taken first": (
        each(slices(), AcquisitionTime=lambda i: f"{101500 + 0.1 * (i // 2 + HALF * (i % 2)):.2f}",
             SeriesDescription=lambda i: "ab"[i % 2]),
        EXACT, "", 0,
    ),
    "one scan of two parts, one above another": (
        each(slices(), AcquisitionTime=lambda i: f"{101500 + 0.1 * i + 600 * (i >= HALF):.2f}",
             InstanceNumber=lambda i: i + 1 + 500 * (i >= HALF)),
        EXACT, "", 0,
    ),
    **{
        f"parts that differ in {name}": (
            each(slices(), **{word: lambda i, a=a, b=b: a if i < HALF else b}),
            EXACT, f"slices differ in {name}: they may be of several scans", 0,
        )
        for name, word, a, b in [
            ("kernel", "ConvolutionKernel", "B35f", "B70f"),
            ("frame of reference", "FrameOfReferenceUID", "1.2.8", "1.2.9"),
            ("contrast", "ContrastBolusAgent", None, "Iomeron"),
        ]
    },
    "an average": (
        each(slices(), SeriesDescription=lambda i: "AVG 15mm"), EXACT,
        "calls itself an average of slices", 0,
    ),
    **{
        f"an average, {words}": (
            each(slices(), SeriesDescription=lambda i, w=words: w), EXACT,
            "calls itself an average of slices", 0,
        )
        for words in ("Ave-IP 10mm", "RAYSUM 20mm")
    },
    **{
        f"a scan described as {words}": (
            each(slices(), SeriesDescription=lambda i, w=words: w), EXACT, "", 0,
        )
        for words in ("chest with topogram", "SCOUT REF", "Hemithorax, maximum 1 mm")
    },
    "coarser below, noisy": (
        slices(COARSE_BELOW, change=lambda hu: hu + RNG.normal(0, 60, hu.shape)), 50.0, "", 0,
    ),
    "9 mm, noisy": (
        slices(MIDDLE[::3], change=lambda hu: hu + RNG.normal(0, 60, hu.shape)), 50.0, "", 0,
    ),
    "a value of tissue as padding that is none": (
        slices(stored="int16", intercept=0, header={"PixelPaddingValue": 0}), EXACT,
        "padding value is one of tissue", 0,
    ),
    "a value of tissue as padding that is some": (
        slices(change=lambda hu: padded(hu, 100), header={"PixelPaddingValue": 1124}), EXACT, "", 0,
    ),
    "values that are not called HU": (
        each(slices(), RescaleType=lambda i: "Z_EFF"), EXACT, "calls the values Z_EFF, not HU", 0,
    ),
    "values of unspecified unit": (each(slices(), RescaleType=lambda i: "US"), EXACT, "", 0),
    "slices stored twice, unsigned and signed": (
        each(slices() + slices(stored="int16", intercept=0),
             InstanceNumber=lambda i: i % N + 1),
        EXACT, "left out 96 slice(s) that repeat others", 0,
    ),
    "two kernels, each in two phases": (
        phases(InstanceNumber=(lambda i: i + 1, lambda i: i + 1 + N))
        + each(phases(InstanceNumber=(lambda i: i + 1 + 2 * N, lambda i: i + 1 + 3 * N)),
               ConvolutionKernel=lambda i: "B70f"),
        EXACT, "told apart by kernel, InstanceNumber", 0,
    ),
    "copies of ten slices": (
        slices() + each(slices(MIDDLE[20:30]), InstanceNumber=lambda i: i + 21),
        EXACT, "left out 10 slice(s) that repeat others", 0,
    ),
}  # fmt: skip


def scaled(change):
    return slices(stored="int16", intercept=0, change=change)


def window(low, high):
    return lambda hu: np.clip(hu, low, high)


def eight_bit(hu):
    return np.clip((hu + 1350) / 1500 * 255, 0, 255) - 1024


def noisy(hu):
    return hu + RNG.normal(0, 12, hu.shape)


# name: (slices, what is said)
REFUSED = {
    "every third slice missing": (
        without(slices(), *range(1, N, 3)), "at most 10%, found 32 of 96",
    ),
    "a gap of 12 mm": (without(slices(), 50, 51, 52, 53), "found 15.0 mm"),
    "two phases, nothing tells them apart": (
        each(slices() + slices(above=30.0), InstanceNumber=lambda i: i % N + 1),
        "found 192 at 96 places",
    ),
    "two phases, numbers shuffled": (
        each(slices() + slices(above=30.0), InstanceNumber=lambda i: (i * 89) % (2 * N) + 1),
        "found 192 at 96 places",
    ),
    "two phases half a slice apart, nothing tells them apart": (
        each(in_between(), InstanceNumber=lambda i: (i * 89) % (2 * N) + 1),
        "some of slices 1 to 48 .* differ by turns from those beside",
    ),
    "two phases half a slice apart, the second of half the chest": (
        slices() + slices(MIDDLE[:HALF] + STEP / 2, above=30.0),
        "differ by turns from those beside",
    ),
    "two phases, one twice as fine as the other": (
        slices(np.sort(np.concatenate([MIDDLE, MIDDLE + 1])))
        + slices(MIDDLE + 2, above=30.0), "differ by turns from those beside",
    ),
    **{
        f"two scans in {name}": (
            [replace(one, **other) if turn(i) else one for i, one in enumerate(slices())],
            "some of slices 1 to 48 .* differ by turns from those beside",
        )
        for name, turn, other in [
            ("pairs, mirrored", lambda i: i // 2 % 2, {"change": lambda hu: hu[:, ::-1]}),
            ("pairs, two breaths", lambda i: i // 2 % 2, {"change": breathed_out}),
            ("threes, two breaths", lambda i: i // 3 % 2, {"change": breathed_out}),
            ("fours, two breaths", lambda i: i // 4 % 2, {"change": breathed_out}),
            ("turn, every sixth of another breath", lambda i: i % 6 == 0,
             {"change": breathed_out}),
            ("threes, two phases", lambda i: i // 3 % 2, {"above": 80.0}),
        ]
    },
    "four slices of another breath between others": (
        slices() + slices(MIDDLE[40:44] + STEP / 2, change=breathed_out),
        "some of slices 18 to 65 .* differ by turns",
    ),
    "padding of 3071": (
        slices(change=lambda hu: padded(hu, 3071)), "of the voxels above it, up to 3071: padding",
    ),
    "slices of one place": (
        each(slices([0.0] * 12, change=noisy), InstanceNumber=lambda i: 1),
        "found 12 at 1 place, ",
    ),
    **{
        f"a projection, {kind}": (
            each(slices(), **{keyword: lambda i, v=value: v}), "found a projection",
        )
        for kind, keyword, value in [
            ("MIP by its type", "ImageType", ["DERIVED", "SECONDARY", "AXIAL", "MIP"]),
            ("MinIP by its type", "ImageType", ["DERIVED", "PRIMARY", "VOLUME", "MIN_IP"]),
            ("MIP by its description", "SeriesDescription", "Thorax MIP_15mm"),
            ("MinIP by its description", "SeriesDescription", "MinIP 8mm"),
            *((f"described as {words}", "SeriesDescription", words)
              for words in ("MIN-IP 8mm", "Max-IP 10/5", "LungMIP 10mm", "MIPAX 8/3",
                            "maximum intensity")),
        ]
    },
    "no slice has a rescale": (
        slices(slope=None, intercept=None), "rescale intercept was lost",
    ),
    "a slice with another rescale than its pixels": (
        [replace(one, change=lambda hu: hu + 1024) if i == 60 else one
         for i, one in enumerate(slices())],
        "HU go on from one to the next, found 1024 HU between slices 60 and 61",
    ),
    "a slice without rescale in other units": (
        [replace(one, slope=None, intercept=None, change=lambda hu: hu * 3 + 5000)
         if i == 60 else one for i, one in enumerate(slices())],
        "found 1 of 96 without, whose values do not fit",
    ),
    "8 bit of a display window": (scaled(eight_bit), "fat near -100 and muscle near 50"),
    "intercept applied twice": (scaled(lambda hu: hu - 1024), "fat near -100 and muscle near 50"),
    "HU x 10": (scaled(lambda hu: hu * 10), "fat near -100 and muscle near 50"),
    "offset lost, padding -2000": (
        scaled(lambda hu: padded(hu + 1024, -2000)), "intercept was lost",
    ),
    "offset lost, padding -1024": (
        scaled(lambda hu: padded(hu + 1024, -1024)), "intercept was lost",
    ),
    "clip(-600, 150)": (scaled(window(-600, 150)), "a display window was applied"),
    "clip(-160, 240)": (scaled(window(-160, 240)), "a display window was applied"),
    "200 HU too high": (scaled(lambda hu: hu + 200), "near -1000|muscle near 50"),
    "a localizer alone": (
        each(slices([-100.0, 100.0], size=(320, 92)),
             ImageType=lambda i: ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        "expected a scan, found a localizer",
    ),
    "two coronal views that do not call themselves localizers": (
        [replace(one, axes=np.array([[1.0, 0, 0], [0, 0, -1.0]]), size=(80, 92), place=place)
         for one, place in zip(
             slices()[:2], (np.array([-182.0, 0, 160]), np.array([-182.0, 40, 160])), strict=True)],
        "slices through a whole chest, found 2",
    ),
    "slices all over the place": (
        [replace(one, place=one.place + [300 * (i % 3 - 1), 200 * (i // 3 % 3 - 1), 0])
         for i, one in enumerate(slices())],
        "one above another",
    ),
}  # fmt: skip

# name: (change of HU, note)
NOTED = {
    "air outside the body set to 0": (
        lambda hu: np.where(hu < -960, 0, hu), "voxels are exactly 0: surroundings were blanked",
    ),
    "lungs alone, all else 0": (
        lambda hu: np.where((hu < -600) & (hu > -960), hu, 0), "surroundings were blanked",
    ),
    "bones cut off": (
        lambda hu: np.clip(hu + RNG.normal(0, 12, hu.shape), -1024, 130),
        "values above 130 were cut off",
    ),
}  # fmt: skip

# name: (frames, per frame, mean error allowed)
ENHANCED = {
    "intercept shared": (slices(), (), EXACT),
    "intercept per frame": (
        [replace(one, intercept=-1024 - 50 * (i % 7)) for i, one in enumerate(slices())],
        ("RescaleIntercept",), EXACT,
    ),
    "a frame missing": (without(slices(), 40), (), UNEVEN),
    "frames shuffled": ([slices()[i] for i in RNG.permutation(N)], (), EXACT),
    "orientation per frame": (slices(), ("ImageOrientationPatient",), EXACT),
    "pixel measures per frame": (slices(), ("PixelSpacing", "RescaleIntercept"), EXACT),
    "two phases": (
        each(slices(), TemporalPositionIndex=lambda i: 1)
        + each(slices(above=30.0), TemporalPositionIndex=lambda i: 2), (), EXACT,
    ),
    "two phases, told by time": (
        each(slices(), FrameAcquisitionDateTime=seconds_after("2020010110"))
        + each(slices(above=30.0), FrameAcquisitionDateTime=seconds_after("2020010111")),
        (), EXACT,
    ),
}  # fmt: skip


def combined(seed):
    """Several things at once, as they come: a series and what was done to it, in words.

    Of two phases, the second has 40 HU more.
    """
    rng = np.random.default_rng(seed)
    shape = ["even", "jitter", "coarse", "tilted"][rng.integers(4)]
    turn = float(rng.uniform(-22, 22))
    laid = {"even": slices(), "jitter": slices(JITTER), "coarse": slices(COARSE_ABOVE),
            "tilted": tilted(turn)}[shape]  # fmt: skip
    told = [f"tilted {turn:.0f}" if shape == "tilted" else shape]
    if rng.random() < 0.5:
        gone = rng.choice(len(laid), rng.integers(1, 5), replace=False).tolist()
        laid = without(laid, *gone)
        told.append(f"{len(gone)} slices gone")
    if rng.random() < 0.3:
        laid = [replace(one, intercept=-1024 - int(rng.integers(0, 500))) for one in laid]
        told.append("intercept by slice")
    if rng.random() < 0.5:
        word = ["AcquisitionNumber", "ContrastBolusAgent", "AcquisitionTime"][rng.integers(3)]
        first, second = counting(101500, 113000) if "Time" in word else constant("1", "2")
        other = [replace(one, above=40.0) for one in laid]
        if rng.random() < 0.5:
            other = without(other, *rng.choice(len(other), 2, replace=False).tolist())
        laid = each(laid, **{word: first}) + each(other, **{word: second})
        told.append(f"two phases by {word}")
    numbers = rng.permutation(len(laid)) + 1
    if rng.random() < 0.5:
        laid = each(laid, InstanceNumber=lambda i: int(numbers[i]))
        told.append("numbers shuffled")
    return laid, ", ".join(told)
