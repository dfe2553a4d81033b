"""What the masked copies of one scan have in common, worked out once for all masks.

A mask is a sum of hats (`hats`), and a convolution's answer to a sum is the sum of its
answers. So the first convolution's answer to any mask is a sum of its answers to the hats; few hats
reach any one place, so it is a short sum. The leaky ReLU after it multiplies by one of two slopes.
Give every unit the slope that it has under the average mask: then the second convolution's answer
is again a sum over hats. Six units in ten have the same sign under every mask, as the range of the
masks' heights tells; of the others, what another sign changes is added one by one (`flips`).
Nothing is approximated.
"""
