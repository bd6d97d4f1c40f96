# bash completion of audiencesync; made by: audiencesync completion bash
_audiencesync_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen "$1" -- "$current"))
}

_audiencesync() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "validate plan diff apply approve rollback suspend resume state status history explain members verify quarantine stages schema completion --help --version" -- "$current"))
    return
  fi
  case $command:$previous in
    validate:--config) _audiencesync_files -f; return ;;
    validate:--state) _audiencesync_files -d; return ;;
    plan:--sample) return ;;
    plan:--format) COMPREPLY=($(compgen -W "text json markdown" -- "$current")); return ;;
    plan:--out) _audiencesync_files -f; return ;;
    plan:--config) _audiencesync_files -f; return ;;
    plan:--state) _audiencesync_files -d; return ;;
    diff:--from) _audiencesync_files -f; return ;;
    diff:--to) _audiencesync_files -f; return ;;
    diff:--out) _audiencesync_files -f; return ;;
    diff:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    diff:--config) _audiencesync_files -f; return ;;
    diff:--state) _audiencesync_files -d; return ;;
    apply:--plan) _audiencesync_files -f; return ;;
    apply:--format) COMPREPLY=($(compgen -W "text json markdown" -- "$current")); return ;;
    apply:--config) _audiencesync_files -f; return ;;
    apply:--state) _audiencesync_files -d; return ;;
    approve:--reason) return ;;
    approve:--config) _audiencesync_files -f; return ;;
    approve:--state) _audiencesync_files -d; return ;;
    rollback:--to) return ;;
    rollback:--reason) return ;;
    rollback:--manifest) _audiencesync_files -f; return ;;
    rollback:--format) COMPREPLY=($(compgen -W "text json markdown" -- "$current")); return ;;
    rollback:--config) _audiencesync_files -f; return ;;
    rollback:--state) _audiencesync_files -d; return ;;
    suspend:--reason) return ;;
    suspend:--until) return ;;
    suspend:--config) _audiencesync_files -f; return ;;
    suspend:--state) _audiencesync_files -d; return ;;
    resume:--reason) return ;;
    resume:--config) _audiencesync_files -f; return ;;
    resume:--state) _audiencesync_files -d; return ;;
    state:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    state:--config) _audiencesync_files -f; return ;;
    state:--state) _audiencesync_files -d; return ;;
    status:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    status:--config) _audiencesync_files -f; return ;;
    status:--state) _audiencesync_files -d; return ;;
    history:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    history:--limit) return ;;
    history:--config) _audiencesync_files -f; return ;;
    history:--state) _audiencesync_files -d; return ;;
    explain:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    explain:--config) _audiencesync_files -f; return ;;
    explain:--state) _audiencesync_files -d; return ;;
    members:--as-of) return ;;
    members:--format) COMPREPLY=($(compgen -W "ndjson csv parquet" -- "$current")); return ;;
    members:--out) _audiencesync_files -f; return ;;
    members:--config) _audiencesync_files -f; return ;;
    members:--state) _audiencesync_files -d; return ;;
    verify:--rows) COMPREPLY=($(compgen -W "sample full" -- "$current")); return ;;
    verify:--seed) return ;;
    verify:--sample) return ;;
    verify:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    verify:--config) _audiencesync_files -f; return ;;
    verify:--state) _audiencesync_files -d; return ;;
    quarantine:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    quarantine:--config) _audiencesync_files -f; return ;;
    quarantine:--state) _audiencesync_files -d; return ;;
    stages:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    stages:--config) _audiencesync_files -f; return ;;
    stages:--state) _audiencesync_files -d; return ;;
    schema:--config) _audiencesync_files -f; return ;;
    schema:--state) _audiencesync_files -d; return ;;
    completion:--config) _audiencesync_files -f; return ;;
    completion:--state) _audiencesync_files -d; return ;;
  esac
  case $command in
    validate)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--settings --config --state --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    plan)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--fresh --detailed-exitcode --sample --format --out --config --state --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    diff)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--from --to --out --stats --format --config --state --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    apply)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--auto-approve --no-refresh --plan --format --config --state --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    approve)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--reason --reject --config --state --verbose --help" -- "$current"))
      else
        :
      fi
      ;;
    rollback)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--to --reason --dry-run --fresh --auto-approve --no-refresh --manifest --format --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    suspend)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--reason --until --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    resume)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--reason --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    state)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--take-over --format --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    status)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    history)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --limit --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    explain)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    members)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--as-of --all --format --out --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    verify)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--rows --analytics --seed --sample --format --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    quarantine)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "list replay drop" -- "$current"))
      fi
      ;;
    stages)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --verbose --help" -- "$current"))
      else
        :
      fi
      ;;
    schema)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "manifest settings plan" -- "$current"))
      fi
      ;;
    completion)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--config --state --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "bash zsh fish" -- "$current"))
      fi
      ;;
  esac
}

complete -F _audiencesync audiencesync
