"""What the masked copies of one scan have in common, worked out once for all masks.

A mask is a sum of hats (`hats`), and a convolution's answer to a sum is the sum of its
answers. So the first convolution's answer to any mask is a sum of its answers to the hats; few hats
reach any one place, so it is a short sum. The leaky ReLU after it multiplies by one of two slopes.
Take every unit's slope from the average mask: then the second convolution's answer is again a sum
over hats. A few units in a hundred have another sign under some mask, and what they change is added
one by one (`flips`). Nothing is approximated.
"""
