"""The demo shop: a generated catalogue and generated shoppers, with a known truth to compare against."""
