"""`python -m indexer` is `indexer`."""

from indexer.cli.main import main

if __name__ == "__main__":
    main()
