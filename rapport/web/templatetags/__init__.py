"""The filters our templates speak."""
