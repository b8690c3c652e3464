"""Publishing to Instagram and X."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from characters import panels
from influencer.jobs import kinds, references


class PublishingConfig(AppConfig):
    name = "characters.publishing"
    label = "publishing"

    def ready(self) -> None:
        panels.register_panel("accounts", "characters.publishing.services.card_accounts")
        panels.register_panel("posts", "characters.publishing.services.card_posts")
        panels.register_section(
            panels.Section(
                order=3,
                slug="posts",
                label="Posts",
                template="publishing/_posts.html",
                context="characters.publishing.listing.section",
            )
        )
        references.register("characters.publishing.services.jobs_of_posts")
        kinds.register(
            kinds.Kind(
                name="publish_post",
                label="Post",
                handler="characters.publishing.running.run",
                steps=("image", "check", "upload", "publish", "link"),
                cancellable_until="publish",
                on_finished="characters.publishing.running.finished",
                link="characters.publishing.services.link_of",
                answer="characters.publishing.api.result_of",
            )
        )
        kinds.register(
            kinds.Kind(
                name="renew_token",
                label="Renew token",
                handler="characters.publishing.accounts.renewing.run",
                steps=("renew", "store"),
            )
        )
        kinds.register(
            kinds.Kind(
                name="check_account",
                label="Check account",
                handler="characters.publishing.accounts.attending.run_check",
                steps=("check",),
            )
        )
        # By name: they need models, which can't be loaded before.
        for module in ("accounts.attending", "running", "media.sweeping"):
            import_string(f"characters.publishing.{module}.connect")()
