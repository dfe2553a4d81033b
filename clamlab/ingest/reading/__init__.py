"""From files of any kind to one upright volume in HU: series found, chosen, converted, checked."""
