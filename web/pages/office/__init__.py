"""The pages of those who answer for a scheme: commissioners and auditors."""
