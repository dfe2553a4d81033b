"""Masked passes made quick: the numbers of H passes of a scan through the encoder, without them.

Eq. 8 asks for the features of a scan x under H masks. With the background b, a masked scan is
b + A'(x - b). From here: C cells of the layer's grid, V voxels, d axes, k sites a channel.

1. `masks`: a mask is its heights at the cells, m (H, C). Enlarging it linearly adds up hats, the
   interpolation's basis B (C, V): A'_h = sum_c m_hc B_c. At most 2^d hats reach a voxel.
2. `responses`: the first convolution W1 is linear, so its response to masked scan h is
   z_h = r + sum_c m_hc Z_c, where r = W1(b) and Z_c = W1(B_c (x - b)) without bias, (channels, k).
   Few hats reach a site, so the sum is short.
3. The leaky ReLU multiplies z by 1 or by its slope. Give every unit the factor s it has under the
   average mask, the same for all masks. Then the second convolution's response is again a sum,
   y_h = R + sum_c m_hc S_c, where R = W2(s r) and S_c = W2(s Z_c): a product of small matrices.
4. `sign_changes`: where z_h has another sign than s took for granted, |z_h| (1 - slope) is missing,
   and W2 of it is added one by one. Heights lie within half their range of their middle, so
   |z_h - z_middle| <= sum_c range_c / 2 |Z_c| tells which units can change at all: four in ten.
5. `features`: from there on the network's own layers, for as many masks at a time as fit.

`receptive_fields` does the book-keeping: sites of the first convolution that reach the same outputs
of the second form a group, and a group's voxels, hats and outputs are known axis by axis. Nothing
is approximated. `proof` tells whether a network is the one that all this is true of;
`clamlab.clam.passes` decides when this way is open, and compares one mask of every scan.
"""
