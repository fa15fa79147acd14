"""What makes the book of the chapters: cells, sliders, extensions of Sphinx, the PDF."""
