"""Read the tables people really keep: find the table in the file, and say what was found.

In the order of the work: what a file is (``formats``), its sheets (``text``, ``excel``,
``old_excel``, ``open_document``, ``statistics``), where the table lies in them (``place``), which
rows are subjects (``rows``), and what the columns hold (``columns``).
"""
